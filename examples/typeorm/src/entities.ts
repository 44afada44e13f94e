import 'reflect-metadata';
import { Column, Entity, Index, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation, VersionColumn } from 'typeorm';

@Entity()
export class Product {
    @PrimaryGeneratedColumn() id!: number;
    @Column('text') name!: string;
    @Column('numeric', { precision: 10, scale: 2 }) price!: string;
    @Column('int', { default: 0 }) stock!: number;
    @Column('int', { nullable: true }) purchaseLimit!: number | null;
    // found by attach: each sale increments it, so that optimistic locks see the sale
    @VersionColumn() version!: number;
}

@Entity()
export class Order {
    @PrimaryGeneratedColumn() id!: number;
    @Column('text') userId!: string;
    @Column('text', { default: 'placed' }) status!: string;
    @OneToMany(() => OrderItem, (item) => item.order, { cascade: true }) items!: Relation<OrderItem>[];
}

@Entity()
export class OrderItem {
    @PrimaryGeneratedColumn() id!: number;
    @Index() @ManyToOne(() => Order, (order) => order.items, { onDelete: 'CASCADE', nullable: false }) order!: Relation<Order>;
    @ManyToOne(() => Product, { nullable: false }) product!: Relation<Product>;
    @Column('int') quantity!: number;
    @Column('numeric', { precision: 10, scale: 2 }) price!: string;
}
